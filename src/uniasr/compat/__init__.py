"""Other systems' calls, answered by this one."""
