"""What every call passes before and after its route.

Plain ASGI layers, outermost first: `Recorder` notes the call and its outcome, `Limits` counts it
and puts the three headers on its answer, `Faults` does what was ordered, `Guard` refuses unknown
routes and keys. The upload origin has only `Recorder` and `Faults`.
"""
