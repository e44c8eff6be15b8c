"""The door: uploads come in over HTTP and go to Kafka."""
