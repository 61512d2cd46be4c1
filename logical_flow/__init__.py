"""The logical-flow language: fields, expressions, actions, templates, the packet walk.

Everything here is pure: text, trees and data, no I/O. In the order in which to read:

* words: :mod:`~logical_flow.fields` (the symbol table), :mod:`~logical_flow.constants`,
  :mod:`~logical_flow.holes`;
* trees and their text: :mod:`~logical_flow.expression`, :mod:`~logical_flow.action` (one
  class an action), parsed by :mod:`~logical_flow.match_parser` and
  :mod:`~logical_flow.action_parser` with :mod:`~logical_flow.lexer`;
  :mod:`~logical_flow.acl` is what ACLs may say;
* flows: :mod:`~logical_flow.template` (templates, stages, pipelines),
  :mod:`~logical_flow.binding` (filling holes), :mod:`~logical_flow.payload` (as bytes);
* meaning: :mod:`~logical_flow.annotate` (what is implied), from which come
  :mod:`~logical_flow.normalise` (as a switch takes it, with :mod:`~logical_flow.masks`)
  and :mod:`~logical_flow.evaluate` (whether a packet fits);
* the packet walk: :mod:`~logical_flow.walk`, over a :mod:`~logical_flow.walk_network`; what
  an action does to a packet stands with the action.

Architecture invariant: nothing here talks to a switch or a database, or names a stage.
"""
