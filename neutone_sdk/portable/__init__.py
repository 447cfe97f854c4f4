"""The native operators once more, as functions of stock torch operators, for files that any host can load.

Each function does what the operator of its name in ``csrc/ops`` does, on the same tensors: equal results to 1e-6, but
many times slower. They are written for TorchScript, which is why they use no numbers, classes or tables of the module.
`neutone_sdk.portable.linker` puts them into a file.
"""
