"""A spec's file cannot be read as text.

## What
There is no such file, or it may not be opened, or it is a folder, or its bytes are not UTF-8 text. For text
in another encoding the message shows the line and the byte where it breaks; for an image or a checkpoint it
gives the first byte that no text has.

## Why
A spec is UTF-8 text, as YAML files are. The separator of a pipeline, the en dash, has other bytes in other
encodings (0x96 in Windows-1252), so a guess could change what a pipeline says.

## Cure
Correct the path; the message names the nearest file of that folder. Save the file with the encoding UTF-8: a
byte order mark at its start and Windows line ends do no harm. Or write hyphens for en dashes, which mean the
same and are the same byte in nearly all encodings.

    iconv -f WINDOWS-1252 -t UTF-8 old.yaml > new.yaml
"""
