"""Writes the cases of a table as files: cases.py TABLE FOLDER. Those marked "!" are left out."""
import pathlib
import re
import sys

LETTERS = {'n': 10, 'r': 13, 't': 9, '\\': 92, "'": 39}


def decode(text):
    return re.sub(rb"\\(?:x([0-9a-f]{2})|([nrt\\']))",
                  lambda m: bytes([int(m[1], 16) if m[1] else LETTERS[m[2].decode()]]),
                  text.encode())


def main(table, folder):
    name, text, number = None, b'', 0
    for line in [*pathlib.Path(table).read_text(encoding='utf-8').splitlines(), '#']:
        if line.startswith('|'):
            text += line[2:].encode() + b'\n'
        elif line.startswith('\\'):
            text += decode(line[2:])
        elif line.startswith('#'):
            if name and text and '!' not in name:
                kind = re.search(r'\[([a-z.]+)\]$', name)
                number += 1
                pathlib.Path(folder, f'case{number}.{kind[1] if kind else "py"}').write_bytes(text)
            name, text = line, b''


main(*sys.argv[1:])
