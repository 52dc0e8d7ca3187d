"""What people are told: the operator's alarms, by the channels they chose."""
