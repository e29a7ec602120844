"""Studies: each a guest of the tool, in a folder of its own. Nothing outside imports one."""
