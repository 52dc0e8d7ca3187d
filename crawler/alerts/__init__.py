"""What people are told: the operator's alarms, by the channels they chose.

alarms.py    from a run's verdict to an alarm that opens, gets worse, or heals
channels.py  the owner's channels (Apprise), and sending what is still untold
"""
