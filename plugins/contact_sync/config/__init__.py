"""What a sync's YAML file may say."""
