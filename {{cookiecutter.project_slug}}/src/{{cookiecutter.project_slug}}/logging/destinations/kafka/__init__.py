"""Apache Kafka: one JSON record per entry on a topic; write-only."""

from .destination import KafkaDestination
from .settings import KafkaSettings

__all__ = ["KafkaDestination", "KafkaSettings"]
