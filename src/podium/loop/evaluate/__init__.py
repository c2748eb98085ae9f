"""HPA cases answered by the policies of `loop/decide`: states and timelines in, what upstream's controller does out.

The shapes of both sides are those of Kubernetes' own objects, so that any program that drives upstream can be compared
byte for byte. What is decided here is decided by the live loop's own policies; this room translates, and keeps the
status of an HPA around them. It reads no clock and speaks to nobody.
"""
