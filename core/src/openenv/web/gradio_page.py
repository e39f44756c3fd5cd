"""The playground's page, made with Gradio."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..contract.models import EnvironmentMetadata
from ..errors import MissingExtra, OpenEnvError

if TYPE_CHECKING:
    import gradio as gr


def gradio_module() -> Any:
    """Import Gradio. Raises `MissingExtra` where it is not installed."""
    try:
        import gradio
    except ImportError as error:
        raise MissingExtra("the playground's page needs the gradio package: pip install 'openenv-core[gradio]'") from error
    return gradio


def build_gradio_app(
    web_manager: Any,
    action_fields: list[dict[str, Any]],
    metadata: EnvironmentMetadata | None,
    is_chat_env: bool,
    title: str = "OpenEnv Environment",
    quick_start_md: str | None = None,
) -> gr.Blocks:
    """Return a page with a form for the action, buttons for reset, step and state, and what the environment shows.

    Args:
        web_manager: the `WebInterfaceManager` that the buttons drive.
        action_fields: of the form, as `openenv.web.form.action_fields` returns them.
        metadata: the description, and the README where there is one.
        is_chat_env: the actions are messages: text gets several lines.
        title: of the page.
        quick_start_md: Markdown shown beside the form.

    Raises:
        MissingExtra: Gradio is not installed.
    """
    gr = gradio_module()
    names = [field["name"] for field in action_fields]

    def shown(status: str, content: Any) -> tuple[Any, ...]:
        buttons = [(label, json.dumps(action)) for label, action in web_manager.suggestions]
        return (
            gr.update(value=web_manager.drawing or "", visible=web_manager.drawing is not None),
            json.dumps(content, indent=2),
            gr.update(choices=buttons, value=None, visible=bool(buttons)),
            status,
        )

    async def attempt(call: Callable[[], Any], done: str) -> tuple[Any, ...]:
        try:
            reply = await call()
        except OpenEnvError as error:
            return shown(f"Refused: {error}", web_manager.episode_state.current_observation)
        over = " The episode is over." if reply["done"] else ""
        return shown(f"{done} Reward: {reply['reward']}.{over}", reply)

    async def reset() -> tuple[Any, ...]:
        return await attempt(web_manager.reset_environment, "A new episode.")

    async def step(*values: Any) -> tuple[Any, ...]:
        optional = {field["name"] for field in action_fields if not field["required"]}
        given = {
            name: value for name, value in zip(names, values, strict=True) if not (name in optional and value in (None, ""))
        }
        return await attempt(lambda: web_manager.step_environment(given), "Step done.")

    async def suggested(action: str) -> tuple[Any, ...]:
        return await attempt(lambda: web_manager.step_environment(json.loads(action)), "Step done.")

    def state() -> str:
        return json.dumps(web_manager.get_state(), indent=2)

    with gr.Blocks(title=title, analytics_enabled=False) as page:
        gr.Markdown(f"# {title}\n\n{metadata.description if metadata else ''}")
        with gr.Row():
            with gr.Column():
                inputs = [_input(gr, field, is_chat_env) for field in action_fields]
                with gr.Row():
                    step_button = gr.Button("Step", variant="primary")
                    reset_button = gr.Button("Reset")
                    state_button = gr.Button("Get state")
                suggestions = gr.Radio([], label="Actions to choose from", visible=False)
                if quick_start_md:
                    gr.Markdown(quick_start_md)
                if metadata and metadata.readme_content:
                    with gr.Accordion("README", open=False):
                        gr.Markdown(metadata.readme_content)
            with gr.Column():
                status = gr.Textbox(label="Status", interactive=False)
                drawing = gr.HTML(visible=False)
                observation = gr.Code(label="Observation", language="json", interactive=False)
                state_shown = gr.Code(label="State", language="json", interactive=False)
        outputs = [drawing, observation, suggestions, status]
        reset_button.click(reset, None, outputs, api_name="reset")
        step_button.click(step, inputs, outputs, api_name="step")
        suggestions.input(suggested, suggestions, outputs, api_name="suggested")
        state_button.click(state, None, state_shown, api_name="state")
    return page  # type: ignore[no-any-return]


def _input(gr: Any, field: dict[str, Any], several_lines: bool) -> Any:
    label = f"{field['name']}{' *' if field['required'] else ''}"
    default, info = field["default_value"], field["help_text"] or None
    if field["type"] == "checkbox":
        return gr.Checkbox(bool(default), label=label, info=info)
    if field["type"] == "select":
        return gr.Dropdown(field["choices"], value=default, label=label, info=info)
    if field["type"] == "number":
        return gr.Number(default, label=label, info=info, minimum=field["min_value"], maximum=field["max_value"])
    text = default if default is None or isinstance(default, str) else json.dumps(default)
    return gr.Textbox(text, label=label, info=info, placeholder=field["placeholder"], lines=4 if several_lines else 1)
