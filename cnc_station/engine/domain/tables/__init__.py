"""How tables of jobs are understood: header rows, names of columns, units, dates and left-out rows.

Pure functions over rows of text. The words themselves are data, to be edited without reading the
code: `synonyms` (names of columns), `words` (units, months, totals) and `shapes` (exports of ERP
systems).
"""
