#!/usr/bin/env python3
"""Reads a machine's reverse run and emergency stop back, twice: with stubs made from proto/ alone, and with nothing
but the server's reflection. Prints what both saw as one JSON object; ends with 1 if they differ or saw nothing.

Usage: read_back.py HOST:PORT MACHINE   with a token in BELTWATCH_TOKEN (needs grpcio, grpcio-tools, grpcio-reflection)
"""

import importlib
import json
import os
import pathlib
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_tools import protoc

SERVICE = "beltwatch.v1.TelemetryService"


def identity():
    """Who is calling, by the token in the environment."""
    return (("authorization", f"Bearer {os.environ['BELTWATCH_TOKEN']}"),)


def from_schema(channel, machine):
    """Counts with stubs compiled from proto/."""
    proto = pathlib.Path(__file__).resolve().parents[2] / "proto"
    with tempfile.TemporaryDirectory() as out:
        files = [str(path.relative_to(proto)) for path in sorted((proto / "beltwatch/v1").glob("*.proto"))]
        include = str(pathlib.Path(protoc.__file__).parent / "_proto")
        arguments = ["protoc", f"-I{proto}", f"-I{include}", f"--python_out={out}", f"--grpc_python_out={out}"]
        if protoc.main(arguments + files) != 0:
            raise SystemExit("the schema does not compile")
        sys.path.insert(0, out)
        messages = importlib.import_module("beltwatch.v1.telemetry_service_pb2")
        stubs = importlib.import_module("beltwatch.v1.telemetry_service_pb2_grpc")
    stub = stubs.TelemetryServiceStub(channel)
    return counts(
        lambda token: stub.ListReadings(
            messages.ListReadingsRequest(machine_id=machine, page_token=token), metadata=identity()
        ),
        lambda token: stub.ListEvents(
            messages.ListEventsRequest(machine_id=machine, page_token=token), metadata=identity()
        ),
    )


def from_reflection(channel, machine):
    """Counts with what the server says of itself."""
    database = ProtoReflectionDescriptorDatabase(channel)
    if SERVICE not in database.get_services():
        raise SystemExit(f"reflection does not list {SERVICE}")
    service = descriptor_pool.DescriptorPool(database).FindServiceByName(SERVICE)

    def caller(name):
        method = service.FindMethodByName(name)
        request_type = message_factory.GetMessageClass(method.input_type)
        reply_type = message_factory.GetMessageClass(method.output_type)
        call = channel.unary_unary(
            f"/{SERVICE}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply_type.FromString,
        )
        return lambda token: call(request_type(machine_id=machine, page_token=token), metadata=identity())

    return counts(caller("ListReadings"), caller("ListEvents"))


def counts(list_readings, list_events):
    """Numbers of Direction: 1 forward, 2 reverse, 3 stopped, 4 unknown."""
    readings = list(pages(list_readings, "readings"))
    events = list(pages(list_events, "events"))
    reverse = [reading for reading in readings if reading.direction == 2]
    stops = [event for event in events if event.kind == "contact_opened" and event.contact == "emergency_stop"]
    return {
        "readings": len(readings),
        "reverse_readings": len(reverse),
        "reverse_speed_max_mps": max((reading.speed_max_mps for reading in reverse), default=0),
        "events": len(events),
        "emergency_stops": len(stops),
        "positions": len({record.position for record in readings + events}),
    }


def pages(call, field):
    token = ""
    while True:
        page = call(token)
        yield from getattr(page, field)
        token = page.next_page_token
        if not token:
            return


def main():
    address, machine = sys.argv[1:]
    with grpc.insecure_channel(address) as channel:
        schema, reflection = from_schema(channel, machine), from_reflection(channel, machine)
    print(json.dumps({"schema": schema, "reflection": reflection}))
    same = schema == reflection and schema["positions"] == schema["readings"] + schema["events"]
    if not same or not schema["reverse_readings"] or not schema["emergency_stops"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
