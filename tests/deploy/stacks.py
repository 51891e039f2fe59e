"""Stacks in the emulated account: by moto's CloudFormation, and by the calls that its missing types stand for."""

import json
from collections.abc import Callable
from typing import Any

from tests.deploy.templates import MISSING_IN_MOTO, decided, filled, names_in, template, without
from tests.support.wait import eventually

Values = dict[str, Any]


class Stacks:
    """What ``aws cloudformation`` has deployed."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._parameters: dict[str, dict[str, str]] = {}
        self._made: dict[str, Values] = {}
        self._outputs: dict[str, dict[str, str]] = {}

    def deploy(self, stack: str, name: str, given: dict[str, str]) -> None:
        """Create *stack* of the template *name*, or update it; what is not given stays as it was."""
        cloudformation = self._client("cloudformation")
        there = stack in self._parameters
        parameters = self._parameters.get(stack, {}) | given
        whole = decided(template(name), parameters)
        _, missing = without(whole, MISSING_IN_MOTO)
        made = self._made.setdefault(stack, {})
        early = [key for key, one in missing.items() if one["Type"].startswith("AWS::ServiceDiscovery")]
        for key in early:
            if key not in made:
                made |= self._cloud_map(key, filled(missing[key], self._defaults(name, parameters)))
        body, _ = without(filled(whole, made), MISSING_IN_MOTO)
        options = {
            "StackName": stack,
            "TemplateBody": json.dumps(body),
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM"],
        }
        # A stack without a resource that moto knows would be none.
        if body["Resources"]:
            (cloudformation.update_stack if there else cloudformation.create_stack)(**options)
            (told,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
            assert told["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, told
            self._outputs[stack] = {one["OutputKey"]: one["OutputValue"] for one in told.get("Outputs", [])}
        for key, one in filled(whole["Outputs"], made).items():
            if names_in(whole["Outputs"][key]) & set(missing):
                self._outputs.setdefault(stack, {})[key] = one["Value"]
        self._parameters[stack] = parameters

    def described(self, stack: str) -> dict[str, Any]:
        """Return the answer of DescribeStacks."""
        outputs = [{"OutputKey": key, "OutputValue": one} for key, one in self._outputs[stack].items()]
        return {"Stacks": [{"StackName": stack, "Outputs": outputs}]}

    def names(self) -> set[str]:
        """Return the stacks that there are."""
        return set(self._parameters)

    def delete(self, stack: str) -> None:
        """Delete *stack*; what its template retains stays."""
        del self._parameters[stack]
        self._client("cloudformation").delete_stack(StackName=stack)

    def _defaults(self, name: str, parameters: dict[str, str]) -> Values:
        known = {key: one.get("Default", "") for key, one in template(name)["Parameters"].items()}
        return known | parameters

    def _cloud_map(self, key: str, resource: dict[str, Any]) -> Values:
        cloudmap, properties = self._client("servicediscovery"), resource["Properties"]
        if resource["Type"].endswith("::Service"):
            service = cloudmap.create_service(**properties)["Service"]
            return {key: service["Id"], f"{key}.Arn": service["Arn"]}
        soa = properties.get("Properties", {}).get("DnsProperties", {}).get("SOA", {})
        if "TTL" in soa:
            soa["TTL"] = int(soa["TTL"])
        operation = cloudmap.create_private_dns_namespace(**properties)["OperationId"]

        def done() -> str:
            told = cloudmap.get_operation(OperationId=operation)["Operation"]
            assert told["Status"] != "FAIL", told
            return str(told["Targets"]["NAMESPACE"]) if told["Status"] == "SUCCESS" else ""

        eventually(done, message="a namespace was created")
        return {key: done(), f"{key}.Id": done()}
