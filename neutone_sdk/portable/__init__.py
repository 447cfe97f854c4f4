"""The operators of csrc/ops in stock torch: one scriptable function for each, of its name, signature and meaning.

The portable flavour of a file calls these in the operators' place, and so needs nothing but torch.
"""
