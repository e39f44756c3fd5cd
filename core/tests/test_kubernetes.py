"""The manifests: what the cluster's interface takes, and in agreement with the image and the server."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml
from counting import Counter
from serving import running

from openenv.core.containers.runtime import ContainerProvider, KubernetesProvider
from openenv.errors import LaunchError
from openenv.server import create_app, draining
from openenv.server.run import WORKERS_VARIABLE
from openenv.sessions.registry import FLUSH_S
from openenv.sessions.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
MANIFESTS = {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}
del MANIFESTS["kustomization.yaml"]
VERSIONS = ("1.30", "1.34", kubernetes_validate.latest_version())
"""The oldest that knows all fields, and newer ones."""

POD = MANIFESTS["deployment.yaml"]["spec"]["template"]["spec"]
(SERVER,) = POD["containers"]
NAME = {"app.kubernetes.io/name": "echo-env"}


def dockerfile(instruction: str) -> set[str]:
    """Return what an instruction says in the last stages of the image and of what it is built on."""
    found = set()
    for path in ("core/Dockerfile", "envs/echo/Dockerfile"):
        found.add(re.findall(rf"^{instruction} (.+)$", (ROOT / path).read_text(), re.MULTILINE)[-1])
    return found


def test_the_kustomization_names_every_file() -> None:
    assert sorted(KUSTOMIZATION["resources"]) == sorted(MANIFESTS)
    assert {manifest["kind"] for manifest in MANIFESTS.values()} == {
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
    }


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", MANIFESTS)
def test_the_cluster_s_interface_takes_it(name: str, version: str) -> None:
    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


def misspell(deployment: Any) -> None:
    pod = deployment["spec"]["template"]["spec"]
    pod["terminationGracePeriodSecond"] = pod.pop("terminationGracePeriodSeconds")


def put_text(deployment: Any) -> None:
    deployment["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] = "8000"


@pytest.mark.parametrize("spoil", [misspell, put_text, lambda deployment: deployment["spec"].pop("selector")])
def test_a_mistake_would_be_seen(spoil: Callable[[Any], Any]) -> None:
    spoiled = copy.deepcopy(MANIFESTS["deployment.yaml"])
    spoil(spoiled)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoiled, VERSIONS[-1], strict=True)


def test_port_user_and_image_are_those_of_the_image() -> None:
    (port,) = SERVER["ports"]
    assert dockerfile("EXPOSE") == {str(port["containerPort"])}
    assert dockerfile("USER") == {str(POD["securityContext"]["runAsUser"])}
    assert [image["name"] for image in KUSTOMIZATION["images"]] == [SERVER["image"]] == ["echo-env"]
    annotations = MANIFESTS["deployment.yaml"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(port["containerPort"])


def test_every_setting_exists_and_can_be_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)} | {WORKERS_VARIABLE}
    given = {variable["name"]: variable["value"] for variable in SERVER["env"]}
    assert given.keys() <= known
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    autoscaler = MANIFESTS["autoscaler.yaml"]["spec"]
    (metric,) = autoscaler["metrics"]
    assert settings.max_concurrent_envs is not None
    assert settings.max_concurrent_envs / 2 < int(metric["pods"]["target"]["averageValue"]) < settings.max_concurrent_envs
    stopping_s = SERVER["lifecycle"]["preStop"]["sleep"]["seconds"] + settings.drain_timeout_s + FLUSH_S
    stopping_s += draining.SOCKETS_CLOSE_WITHIN_S + settings.close_timeout_s + draining.LOOP_ENDS_WITHIN_S
    assert POD["terminationGracePeriodSeconds"] > stopping_s


def test_the_server_answers_what_it_is_asked_for() -> None:
    (metric,) = MANIFESTS["autoscaler.yaml"]["spec"]["metrics"]
    annotations = MANIFESTS["deployment.yaml"]["spec"]["template"]["metadata"]["annotations"]
    with running(create_app(Counter)) as url, httpx.Client(base_url=url, trust_env=False) as http:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert http.get(SERVER[probe]["httpGet"]["path"]).is_success
        assert metric["pods"]["metric"]["name"] in http.get(annotations["prometheus.io/path"]).text.split()


def test_the_documented_adapter_rule_is_for_the_metric_that_the_autoscaler_asks_for() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/kubernetes.md").read_text(), re.MULTILINE | re.DOTALL)
    (rule,) = yaml.safe_load(block)["rules"]
    (metric,) = MANIFESTS["autoscaler.yaml"]["spec"]["metrics"]
    assert rule["seriesQuery"].partition("{")[0] == metric["pods"]["metric"]["name"]


def test_the_container_is_locked_up() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["automountServiceAccountToken"] is False
    assert SERVER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [mount["mountPath"] for mount in SERVER["volumeMounts"]] == ["/tmp"]
    assert SERVER["resources"].keys() == {"requests", "limits"}


def test_all_of_them_mean_the_same_pods() -> None:
    selected = {
        "deployment.yaml": MANIFESTS["deployment.yaml"]["spec"]["selector"]["matchLabels"],
        "service.yaml": MANIFESTS["service.yaml"]["spec"]["selector"],
        "service-of-each.yaml": MANIFESTS["service-of-each.yaml"]["spec"]["selector"],
        "disruption-budget.yaml": MANIFESTS["disruption-budget.yaml"]["spec"]["selector"]["matchLabels"],
        "network-policy.yaml": MANIFESTS["network-policy.yaml"]["spec"]["podSelector"]["matchLabels"],
    }
    assert {name: labels for name, labels in selected.items() if labels != NAME} == {}
    labels = MANIFESTS["deployment.yaml"]["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= NAME.items()
    assert MANIFESTS["autoscaler.yaml"]["spec"]["scaleTargetRef"]["name"] == MANIFESTS["deployment.yaml"]["metadata"]["name"]
    assert MANIFESTS["service.yaml"]["spec"]["sessionAffinity"] == "ClientIP"
    (rule,) = MANIFESTS["network-policy.yaml"]["spec"]["ingress"]
    named = {port["name"] for port in SERVER["ports"]}
    assert {port["port"] for port in rule["ports"]} == named
    assert {
        port["targetPort"] for name in ("service", "service-of-each") for port in MANIFESTS[f"{name}.yaml"]["spec"]["ports"]
    } == named


def test_the_provider_that_is_none_says_what_to_use() -> None:
    """As published, it is a kind of container provider that cannot be made."""
    assert issubclass(KubernetesProvider, ContainerProvider)
    with pytest.raises(LaunchError, match=r"apply the manifests of deploy/kubernetes .*base_url=") as told:
        KubernetesProvider()
    assert "\n" not in told.value.message
