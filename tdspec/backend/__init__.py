"""The torch side: from the graph to modules, source and measurements. Torch starts here."""
