"""All kinds of senders."""

from __future__ import annotations

from typing import Literal, TypeAlias

from digestbot.service.hooks.acr import AzureRegistry
from digestbot.service.hooks.delivery import Source
from digestbot.service.hooks.distribution import Distribution
from digestbot.service.hooks.dockerhub import DockerHub
from digestbot.service.hooks.ghcr import GitHubRegistry
from digestbot.service.hooks.github import GitHub
from digestbot.service.hooks.harbor import Harbor
from digestbot.service.hooks.jfrog import Artifactory
from digestbot.service.hooks.nexus import Nexus
from digestbot.service.hooks.quay import Quay

Kind: TypeAlias = Literal[
    "harbor", "dockerhub", "ghcr", "quay", "distribution", "acr", "jfrog", "nexus", "github"
]

SOURCES: dict[Kind, Source] = {
    "harbor": Harbor(),
    "dockerhub": DockerHub(),
    "ghcr": GitHubRegistry(),
    "quay": Quay(),
    "distribution": Distribution(),
    "acr": AzureRegistry(),
    "jfrog": Artifactory(),
    "nexus": Nexus(),
    "github": GitHub(),
}
