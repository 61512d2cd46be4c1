"""Call openstacksdk's network service, one method after the other, in one process.

A script for an environment with openstacksdk; its argument is a JSON object with the keywords
of a connection. Each line of standard input is a JSON list of a method's name, its arguments
and its keywords; each line of standard output is its answer: ``{"answer": …}``, or
``{"error": …}`` with the exception's types, status and message. An argument
``{"object": [METHOD, ID]}`` stands for the object that this method returns.
"""

import json
import sys
import types
import warnings

import openstack
from openstack import exceptions
from openstack.resource import Resource


def plain(value: object) -> object:
    """An answer of the SDK as JSON can say it."""
    if isinstance(value, Resource):
        return value.to_dict(computed=False, original_names=True)
    if isinstance(value, (types.GeneratorType, list, tuple)):
        return [plain(item) for item in value]
    return value


def resolved(network: object, argument: object) -> object:
    """An argument, or the object that it stands for."""
    if isinstance(argument, dict) and set(argument) == {"object"}:
        method, object_id = argument["object"]
        return getattr(network, method)(object_id)
    return argument


def main() -> None:
    warnings.simplefilter("ignore")
    network = openstack.connect(**json.loads(sys.argv[1])).network
    for line in sys.stdin:
        method, arguments, keywords = json.loads(line)
        try:
            given = [resolved(network, argument) for argument in arguments]
            answer = {"answer": plain(getattr(network, method)(*given, **keywords))}
        except exceptions.SDKException as error:
            status = getattr(error, "status_code", None)
            names = [each.__name__ for each in type(error).__mro__]
            answer = {"error": {"types": names, "status": status, "message": str(error)}}
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
