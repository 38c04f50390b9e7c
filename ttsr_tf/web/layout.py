"""The page: what is where, and which action belongs to it."""

import gradio as gr

from ttsr_tf.web.actions import BICUBIC, TRUTH, Actions

TITLE = "Enlarge a picture four times"
_INTRODUCTION = f"""# {TITLE}
The textures come from a second, sharp picture of something similar: the reference."""
_ONE_PHOTOGRAPH = """The middle of a photograph is made four times smaller, and enlarged again; the
reference is the same place as another camera might see it. So you can compare the result with the
original."""
_HOUR = 3600  # seconds
# Of the machine that shows it: no font comes from another host.
THEME = gr.themes.Default(
    primary_hue="blue",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)
# Without links the footer is an empty strip.
CSS = "footer { display: none !important; }"
_WAITING = "The result appears here. An example needs one click."
# On a phone the result is below what is given.
_SCROLL = """() => setTimeout(() => document.querySelector("#slider")?.scrollIntoView(
    {behavior: "smooth", block: "nearest"}), 300)"""


def page(actions: Actions, *, pairs: list, photograph: str) -> gr.Blocks:
    """The page.

    Args:
        actions: what is done.
        pairs: examples, a list of the paths of a small picture and a reference.
        photograph: the path of another example.
    """
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=(_HOUR, _HOUR), fill_width=True
    ) as blocks:
        gr.Markdown(_INTRODUCTION)
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                with gr.Tab("Two pictures"):
                    pair = [
                        _upload("Small picture"),
                        _upload("Reference (something similar, sharp)"),
                    ]
                    # Gradio keeps only what it shows of an example longer than uploads.
                    pair[1].keep_in_cache.update(ref for _, ref in pairs)
                    pairs = gr.Examples(pairs, pair, label="Examples", visible_columns=[0])
                    enlarge = gr.Button("Enlarge", variant="primary")
                with gr.Tab("One photograph"):
                    gr.Markdown(_ONE_PHOTOGRAPH)
                    one = [_upload("Photograph")]
                    ones = gr.Examples([[photograph]], one, label="Example")
                    try_it = gr.Button("Try it", variant="primary")
                said = gr.Markdown(elem_id="said", min_height=70)
            with gr.Column(scale=5, min_width=320):
                results = [said, *_results(actions)]
        for event, action, given in (
            (enlarge.click, actions.enlarge_picture, pair),
            (pairs.load_input_event.success, actions.enlarge_picture, pair),
            (try_it.click, actions.enlarge_photograph, one),
            (ones.load_input_event.success, actions.enlarge_photograph, one),
        ):
            event(
                action,
                given,
                results,
                concurrency_id="enlarge",  # one at a time, of all: each takes every processor
                concurrency_limit=1,
                show_progress_on=said,
                preprocess=False,  # it would open the files, and not say what is wrong with them
            ).success(None, js=_SCROLL)
    return blocks


def _upload(label):
    return gr.Image(label=label, sources=["upload"], height=160, buttons=[])


def _results(actions):
    """The components of a result, in the order in which actions give their values."""
    enlarged, place = gr.State(time_to_live=_HOUR), gr.State(time_to_live=_HOUR)
    caption = gr.Markdown(_WAITING)
    with gr.Column(visible=False) as column:
        slider = gr.ImageSlider(
            show_label=False, format="png", max_height=900, buttons=["fullscreen"], elem_id="slider"
        )
        with gr.Row():
            other = gr.Radio(
                [BICUBIC, TRUTH], value=BICUBIC, show_label=False, container=False, scale=2
            )
            download = gr.DownloadButton(elem_id="download")
        gr.Markdown("## Where the textures came from")
        hint = gr.Markdown(elem_id="hint")
        tinted = gr.Checkbox(
            label="Show the similarity everywhere, from 0 (orange) to 1 (blue)",
            container=False,
        )
        with gr.Row():
            result, source = _picture("Result", "result"), _picture("Reference", "source")
    for event, action, given, changed in (
        (other.input, actions.compare, [enlarged, other], [caption, slider]),
        (tinted.input, actions.show, [enlarged, tinted, place], result),
        (result.select, actions.locate, [enlarged, tinted], [place, result, source, hint]),
    ):
        event(action, given, changed, show_progress="hidden")
    return [enlarged, place, column, caption, slider, other, download, hint, tinted, result, source]


def _picture(label, name):
    return gr.Image(
        label=label, format="png", interactive=False, buttons=["fullscreen"], elem_id=name
    )
