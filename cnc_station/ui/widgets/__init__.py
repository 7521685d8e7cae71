"""Parts that pages are made of. They hold no logic: values in, signals out, colours from `theme()`.

text        Text, ElidedLabel                 card      Card, rule
state_look  look_of(state) → icon, word, tone chip      StateChip; the painting of chips
buttons     Button, PrimaryButton, DangerButton
hold_button HoldButton                       field     Field; a form's label, editor and error
number_box  NumberBox                        code_view CodeView, a program's text
list_table  ListTable over a models.row_list, table_card
summary     SummaryCard                       filter_chip  FilterChip
key_value   KeyValue
tabs        SegmentedTabs
timeline    Timeline, TimelineEntry           table     Table, SortHeader, LOOK_ROLE
progress    ProgressBar                       busy      BusyBar
toasts      ToastShelf                        empty     EmptyState
dots        ConnectionDots, Connection        search    SearchField
toolpath    ToolpathView
"""
