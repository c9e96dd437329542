"""How Rasa and its action server are started."""

from service import bot
from service.settings import Settings


def test_no_value_on_a_command_line_looks_like_an_option(tmp_path):
    settings = Settings.model_validate({"data_dir": tmp_path})
    for _ in range(300):
        neighbours = bot.make_neighbours(settings, tmp_path / "model.tar.gz", "http://127.0.0.1:1/api/v1", "t")
        (command,) = [child.command for child in neighbours.children if child.name == "rasa"]
        assert not command[command.index("--auth-token") + 1].startswith("-")
