"""Modules that torch lacks. Each class stands alone: its source is printed into an emitted `model.py`."""
