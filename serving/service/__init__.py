"""The service: answers of the champion over HTTP, for those who may ask."""
