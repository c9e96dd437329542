"""The commands of `huiyin`, a module a group; `service/cli.py` lists them."""
