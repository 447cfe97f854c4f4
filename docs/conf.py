"""How Sphinx makes the documentation site: `make docs`. What it cannot resolve is an error."""

from importlib.metadata import version as version_of

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

project = "neutone_sdk"
author = "The neutone_sdk developers"
project_copyright = author
release = version_of("neutone_sdk")

# The source is the whole repository, so that links between README, CONTRIBUTING and docs/ lead to the same pages here
# and on GitHub.
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md"]
exclude_patterns = [".*", "build", "benchmarks", "csrc", "dist", "examples", "exports", "neutone_sdk", "tests", "tools"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# Docstrings: `name` is a reference, ``text`` is code.
default_role = "py:obj"
nitpicky = True
# Torch's, NumPy's and Python's, and a type variable.
_OTHERS = r"(torch|numpy|pathlib|fractions|collections)\..*|Path|Tensor|nn\..*|ScriptModule|.*\.Item"
nitpick_ignore_regex = [("py:.*", _OTHERS)]
autodoc_member_order = "bysource"
# Also what classes have of bases that are not on these pages, up to one of these.
_ENOUGH = "Module, RNNBase, LSTM, GRU, Sequential, NeutoneModel, NeutoneParameter, Enum, tuple, dict, object"
autodoc_default_options = {"inherited-members": _ENOUGH}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_sphinx = False
html_extra_path = ["site"]  # index.html, which leads to the first page


def setup(app: Sphinx) -> None:
    """Connect what follows."""
    app.connect("missing-reference", resolve_by_end)
    app.connect("autodoc-skip-member", skip_own)


def skip_own(_app: Sphinx, _what: str, name: str, _obj: object, _skip: bool, _options: object) -> bool | None:
    """Leave out what the base classes keep for themselves."""
    return True if name.startswith("sdk_") else None


def resolve_by_end(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Let docstrings name what lies in other modules by the end of its name alone, if only one thing is called so."""
    if node.get("refdomain") != "py":
        return None
    target = "." + node["reftarget"]
    found = {
        (entry.docname, entry.node_id) for name, entry in env.domains["py"].objects.items() if name.endswith(target)
    }
    if len(found) != 1:
        return None
    docname, node_id = found.pop()
    return make_refnode(app.builder, node["refdoc"], docname, node_id, content, target)
