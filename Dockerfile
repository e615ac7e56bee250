# The image that untrusted programs run in: a Python interpreter and nothing else. The guest's code is sent to each
# container when it starts, so this image is built once. Without a registry: rlvr-gym sandbox build --from-host.
#
#   docker build --tag rlvr-gym-sandbox:latest - < Dockerfile
FROM python:3.12-slim

# no installer and no setuid programs for a policy to play with
RUN pip uninstall --yes pip setuptools wheel 2>/dev/null || true \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && chmod 0755 /

USER 65534:65534
WORKDIR /tmp
