"""Python's own finder: the lines of resolve.jq on stdin, the same on stdout with the file that each import loads.

resolve.py ROOT: absolute names are looked for there, as if that alone were
sys.path, then where the importing file's own outermost package lies.
"""
import importlib.machinery
import os
import sys
from functools import lru_cache

INIT = '__init__.py'


@lru_cache(maxsize=None)
def find(part, path):
    """One part of a name, in a tuple of folders: its file, if it has one, and where names below it are looked for."""
    spec = importlib.machinery.PathFinder.find_spec(part, list(path))
    if spec is None:
        return None
    below = spec.submodule_search_locations
    return (spec.origin if spec.has_location else None, None if below is None else tuple(below))


def load(name, path):
    """A dotted name, part by part; a module may make what is below it itself, as os makes os.path."""
    found = (None, path)
    for part in filter(None, name.split('.')):
        if found[1] is None:
            return found
        found = find(part, found[1])
        if found is None:
            return None
    return found


def own_root(path):
    folder = os.path.dirname(path)
    while os.path.isfile(os.path.join(folder, INIT)):
        folder = os.path.dirname(folder)
    return folder


def start(path, level):
    """The package that a relative name starts at."""
    for _ in range(level):
        path = os.path.dirname(path)
    init = os.path.join(path, INIT)
    return (init if os.path.isfile(init) else None, (path,))


def wanted(root, path, spec, name):
    module = spec.lstrip('.')
    level = len(spec) - len(module)
    if level:
        base = start(path, level)
        found = load(module, base[1]) if module else base
    else:
        found = load(module, (root,)) or load(module, (own_root(path),))
    if found is None:
        return None
    inner = found[1] and name not in ('', '*') and find(name, found[1])
    return inner[0] if inner and inner[0] else found[0]


def main(root):
    for line in sys.stdin:
        path, *what, spec, name, _ = line.rstrip('\n').split('\t')
        found = wanted(root, path, spec, name)
        if not found or not found.startswith(root + '/') or not found.endswith('.py'):
            found = '-'
        print(path, *what, spec, name, found, sep='\t')


main(sys.argv[1])
