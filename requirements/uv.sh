# Makes uv a command: the one on PATH, or one installed for this alone.
if ! command -v uv >/dev/null; then
  python3 -m venv .venv-uv
  .venv-uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
  PATH="$PWD/.venv-uv/bin:$PATH"
fi
