"""One file a figure: what it shows are rows of tables; `style` and `lines` are shared."""
