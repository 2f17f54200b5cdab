"""Networks, and how weights reach them: build, read, translate, load, audit."""
