"""How Sphinx turns prepared notebooks into pages; `tools/build_site.py` prepares and calls it."""

project = "The Kullback-Leibler divergence and autoencoders"
html_title = project
language = "en"
extensions = ["myst_nb"]
exclude_patterns = ["static"]
templates_path = ["templates"]

nb_execution_mode = "off"  # the outputs are stored in the notebooks
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
myst_update_mathjax = False  # what MathJax shall do stands in mathjax_config.js
smartquotes = False  # quotation marks stay as they were written

mathjax_path = "mathjax.js"
mathjax_config_path = "static/mathjax_config.js"

html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_copy_source = False
html_use_index = False
html_show_sphinx = False
html_show_search_summary = False  # a browser that reads from a disk may not fetch the pages
html_sidebars = {"**": ["home-link", "search-button-field", "sbt-sidebar-nav"]}
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_theme_options = {
    "navbar_persistent": [],
    "show_toc_level": 2,
    "use_download_button": False,  # the links below a page's title lead to the notebook
    "use_fullscreen_button": False,
    "footer_content_items": "extra-footer",
    "extra_footer": (
        "Text and figures: CC BY 4.0. Code: BSD 3-Clause. "
        "After the deck <em>Deep Learning</em> by Vazgen Mikayelyan."
    ),
}
