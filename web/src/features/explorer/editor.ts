// The SQL editor. Loaded only with the SQL tab.

import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { HighlightStyle, bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, Prec, type Transaction } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Schema } from "../../api/types";

export interface Editor {
  know: (tables: Schema["tables"]) => void;
  destroy: () => void;
}

interface Setup {
  value: string;
  label: string;
  onchange: (sql: string) => void;
  onrun: () => void;
}

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--accent)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ok)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--bad)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { fontSize: "13px", color: "var(--ink)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", minHeight: "110px", maxHeight: "40vh" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--sunk)", color: "var(--ink-2)", border: "0" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    border: "1px solid var(--rule-strong)",
    color: "var(--ink)",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--accent-ink)",
  },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-wash) !important" },
});

/**
 * Typing over a selection: left to the browser, it would keep the old text's style as an inline
 * style, which the page's policy forbids and the console then complains about.
 */
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    const text = event.data;
    if (event.inputType !== "insertText" || text === null || empty || event.isComposing)
      return false;
    const insert = (): Transaction =>
      view.state.update(view.state.replaceSelection(text), { userEvent: "input.type" });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

export function openEditor(root: ShadowRoot, setup: Setup): Editor {
  const language = new Compartment();
  const run = (): boolean => {
    setup.onrun();
    return true;
  };
  const state = EditorState.create({
    doc: setup.value,
    extensions: [
      Prec.highest(
        keymap.of([
          { key: "Mod-Enter", run },
          { key: "Ctrl-Enter", run },
        ]),
      ),
      history(),
      lineNumbers(),
      bracketMatching(),
      closeBrackets(),
      autocompletion(),
      keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]),
      language.of(sql({ dialect: PostgreSQL })),
      syntaxHighlighting(colours),
      look,
      typeOver,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": setup.label }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) setup.onchange(update.state.doc.toString());
      }),
    ],
  });
  const view = new EditorView({ state, parent: root, root });
  return {
    know: (tables) => {
      const schema = Object.fromEntries(
        tables.map((table) => [table.name, table.columns.map((column) => column.name)]),
      );
      view.dispatch({ effects: language.reconfigure(sql({ dialect: PostgreSQL, schema })) });
    },
    destroy: () => view.destroy(),
  };
}
