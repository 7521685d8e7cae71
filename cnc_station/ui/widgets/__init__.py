"""Parts that pages are made of. They hold no logic: values in, signals out, colours from `theme()`.

layout      hbox, vbox, fill: rows and columns as they look
text        Text, Note, ElidedLabel; paint_text
buttons     Button, PrimaryButton, DangerButton, CloseButton; add_key, a command on a key
hold_button HoldButton                        tap_guard   TapGuard
card        Card, rule, scrolling             facts       KeyValue, Details
state_look  look_of(state) -> icon, word, tone chip       StateChip; the painting of chips
fields      Field, NumberBox, Stepper, SecretField, SearchField
job_editors DueField, PriorityField, ProgramField
table       Table over a models.row_model, SortHeader, CellPainter, table_card
list_table  ListTable, one row chosen         job_table_view JobTableView, columns chosen
tabs        SegmentedTabs, TabStack           timeline    Timeline, TimelineEntry
filter_chip FilterChip, MenuChip              progress    ProgressBar, BusyBar
toasts      ToastShelf                        empty       EmptyState, NoJobs
top_bar     TopBar, ConnectionDots            rail        NavigationRail
code_view   CodeView, a program's text        toolpath    ToolpathView
"""
