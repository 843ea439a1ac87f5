"""Which version serves: rules, evidence, decision, registry."""
