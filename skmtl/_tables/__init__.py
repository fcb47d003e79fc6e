"""Files that people have, as tables to fit: what the command line compares models on.

From the outside in: `_source` reads and unpacks bytes; `_text` decodes those of text and `_rows`
divides it into cells, `_typed` does both for workbooks and the like; `_cells` makes a table of text
of them, and `_lines` tells what is no row of it. `_numbers` reads cells as numbers, `_features`,
`_labels` and `_ids` read columns as what they are for, `_table` puts them together.
"""

from ._labels import label_text
from ._source import shown
from ._table import Table, read_table
from ._words import counted

__all__ = ["Table", "counted", "label_text", "read_table", "shown"]
