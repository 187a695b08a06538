"""The records of a message that stays in this process, as the device's own."""

from flwr.app import (
    ArrayRecord,
    ConfigRecord,
    Message,
    MetricRecord,
    RecordDict,
)

Record = ArrayRecord | ConfigRecord | MetricRecord


def own_records(message: Message) -> Message:
    """Replaces the records of ``message`` by copies that a device may change."""
    if message.has_error():
        return message
    message.content = RecordDict({name: _copy(r) for name, r in message.content.items()})
    return message


def _copy(record: Record) -> Record:
    if isinstance(record, ConfigRecord):
        return ConfigRecord(dict(record))
    if isinstance(record, MetricRecord):
        return MetricRecord(dict(record))
    arrays = ArrayRecord()
    for name, array in record.items():
        arrays[name] = array
    return arrays
