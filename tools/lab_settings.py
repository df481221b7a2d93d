"""What JupyterLab is told, on a machine and in a browser."""

# Neither ask whether news is wanted, nor look on the network for news and updates.
DEFAULT_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}
