"""The app of `Counter`, for what imports an app by its name."""

from counting import Counter

from openenv.server import create_app

app = create_app(Counter)
