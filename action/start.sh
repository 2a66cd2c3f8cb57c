# shellcheck shell=bash
# Finds a Python that will do and lets it run one of the files beside this one: the first argument.
# Python is isolated (-I), so that nothing of the environment or of the workspace, which may be a
# stranger's pull request, is imported in place of what certform needs.

python=${CERTFORM_PYTHON:-}
if [ -z "$python" ]; then
  echo "certform: looks for Python 3.11 or later"
  for each in python3 python py python3.14 python3.13 python3.12 python3.11; do
    # from / since version managers obey files of the folder they are called in
    python=$(cd / && "$each" -I -c \
      'import sys; print(sys.executable) if sys.version_info >= (3, 11) else sys.exit(1)' 2>/dev/null) && break
    python=
  done
fi
python=${python%$'\r'}
if [ -z "$python" ]; then
  echo "::error title=certform::There is no Python 3.11 or later on PATH. Put actions/setup-python before this step, or install one on the runner."
  exit 1
fi
exec "$python" -I -X utf8 "$GITHUB_ACTION_PATH/action/$1"
