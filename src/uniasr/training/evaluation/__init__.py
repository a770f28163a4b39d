"""How well and how fast a model recognises: error rates with their uncertainty, delays, a report to read.

units      text as the units that are counted, readings of Japanese     errors    alignment, rates, bootstrap intervals
measure    runs a model over a set                                      report    tables and the html page
"""
