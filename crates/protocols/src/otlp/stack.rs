//! Stack texts of Python, Java, Node, Ruby, Go and .NET as frames, innermost first.
//!
//! Each line is read by itself, in the shape of whichever language it has; lines of none (messages, source lines,
//! carets) are passed over. Of several chained stacks, the frames are those of the exception that is reported.

use crate::observed::Frame;
use std::borrow::Cow;

/// Most frames that are kept, counted from the innermost.
const MAX_FRAMES: usize = 256;

/// The frames of a stack text; empty when it has no shape that is known.
pub(super) fn frames(stack: &str) -> Vec<Frame<'_>> {
    if stack.contains("Traceback (most recent call last)") {
        python(stack)
    } else if stack.starts_with("goroutine ") || stack.contains("\ngoroutine ") {
        go(stack)
    } else {
        at_lines(stack)
    }
}

/// `  File "/app/x.py", line 10, in handler`. The outermost call is first, and the last traceback is that of the
/// exception itself: those before are what it came from.
fn python(stack: &str) -> Vec<Frame<'_>> {
    let start = stack.rfind("Traceback (most recent call last)").unwrap_or(0);
    let mut frames: Vec<_> = stack[start..].lines().filter_map(python_line).collect();
    frames.reverse();
    frames.truncate(MAX_FRAMES);
    frames
}

fn python_line(line: &str) -> Option<Frame<'_>> {
    // Exception groups draw a bar before their lines.
    let rest = line.trim_start_matches([' ', '|']).strip_prefix("File \"")?;
    let (file, rest) = rest.split_once("\", line ")?;
    let (line, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some(frame(function, file, line.parse().ok()))
}

/// A function on one line, `\t/app/main.go:12 +0x1d` on the next.
fn go(stack: &str) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    let mut function = None;
    for line in stack.lines() {
        if let Some(place) = line.strip_prefix('\t') {
            let place = place.rsplit_once(" +0x").map_or(place, |(place, _)| place);
            if let (Some(function), Some((file, line))) = (function.take(), place.rsplit_once(':')) {
                frames.push(frame(function, file, line.parse().ok()));
            }
        } else if line.is_empty() && !frames.is_empty() {
            // Other goroutines follow.
            break;
        } else {
            function = (!line.starts_with("goroutine ")).then(|| go_function(line));
        }
        if frames.len() == MAX_FRAMES {
            break;
        }
    }
    frames
}

/// The function of `main.(*Cart).total(0xc000, 0x1)` or `created by main.main in goroutine 1`.
fn go_function(line: &str) -> &str {
    if let Some(created) = line.strip_prefix("created by ") {
        return created.split_once(" in goroutine ").map_or(created, |(function, _)| function);
    }
    // Arguments are the last brackets; a receiver (`(*Cart)`) has brackets of its own.
    line.strip_suffix(')').and_then(|call| call.rsplit_once('(')).map_or(line, |(function, _)| function)
}

/// Java, Node, .NET (`at ...`) and Ruby (`file:line:in 'method'`): innermost first already.
fn at_lines(stack: &str) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    for line in stack.lines() {
        let line = line.trim();
        // What follows is what the exception came from.
        if line.starts_with("Caused by:") || line.starts_with("Suppressed:") || line.starts_with("--- End of inner") {
            if frames.is_empty() {
                continue;
            }
            break;
        }
        frames.extend(line.strip_prefix("at ").and_then(at_line).or_else(|| ruby_line(line)));
        if frames.len() == MAX_FRAMES {
            break;
        }
    }
    frames
}

fn at_line(call: &str) -> Option<Frame<'_>> {
    // .NET: `Shop.Cart.Total(Item item) in /src/Cart.cs:line 12`
    if let Some((function, place)) = call.split_once(") in ") {
        let (file, line) = place.rsplit_once(":line ")?;
        let function = function.split_once('(').map_or(function, |(function, _)| function);
        return Some(frame(function, file, line.parse().ok()));
    }
    let Some((function, place)) = call.strip_suffix(')').and_then(|call| call.rsplit_once('(')) else {
        // Node, a function without a name: `file:///app/x.mjs:15:61`, `async /app/x.js:3:4`
        let (file, line) = node_place(call.trim_start_matches("async "))?;
        return Some(frame("", file, Some(line)));
    };
    if let Some(function) = function.strip_suffix(' ') {
        // Node: `async Cart.total (/app/cart.js:12:9)`, `Array.map (<anonymous>)`
        let function = function.trim_start_matches("async ").trim_start_matches("new ");
        let (file, line) = node_place(place).map_or((place, None), |(file, line)| (file, Some(line)));
        return Some(frame(function, file, line));
    }
    // Java: `java.base/java.util.List.get(List.java:7)`, `Foo.bar(Native Method)`
    let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
    let function = function.rsplit_once('/').map_or(function, |(_, function)| function);
    Some(frame(function, file, line.parse().ok()))
}

/// File and line of `/app/cart.js:12:9`.
fn node_place(place: &str) -> Option<(&str, u32)> {
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    column.parse::<u32>().ok()?;
    Some((file, line.parse().ok()?))
}

/// "/app/cart.rb:12:in `total': undefined method (NoMethodError)", `from /app/cart.rb:3:in 'Cart#add'`
fn ruby_line(line: &str) -> Option<Frame<'_>> {
    let line = line.strip_prefix("from ").unwrap_or(line);
    let (place, rest) = line.split_once(":in ")?;
    let (file, number) = place.rsplit_once(':')?;
    let function = rest.strip_prefix(['`', '\''])?;
    let function = function.split_once('\'').map_or(function, |(function, _)| function);
    Some(frame(function, file, Some(number.parse().ok()?)))
}

fn frame<'a>(function: &'a str, file: &'a str, line: Option<u32>) -> Frame<'a> {
    Frame { function: Cow::Borrowed(function), file: Cow::Borrowed(file), line, own: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(stack: &str) -> Vec<String> {
        let line = |frame: &Frame<'_>| frame.line.map_or("?".to_owned(), |line| line.to_string());
        frames(stack).iter().map(|frame| format!("{} ({}:{})", frame.function, frame.file, line(frame))).collect()
    }

    #[test]
    fn stacks_of_every_language_are_read_innermost_first() {
        for (language, stack, want) in [
            (
                "python",
                "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in first\nKeyError: 'a'\n\nDuring handling \
                 of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \
                 \"/app/b.py\", line 33, in <module>\n    order()\n    ^^^^^\n  File \"/app/b.py\", line 25, in \
                 order\nValueError: b",
                &["order (/app/b.py:25)", "<module> (/app/b.py:33)"][..],
            ),
            (
                "python exception group",
                "  + Exception Group Traceback (most recent call last):\n  |   File \"/app/a.py\", line 9, in run\n  | \
                 ExceptionGroup: two (2 sub-exceptions)",
                &["run (/app/a.py:9)"],
            ),
            (
                "java",
                "java.lang.IllegalStateException: no cup (of tea)\n\tat shop.Cart.total(Cart.java:12)\n\tat \
                 java.base/java.lang.reflect.Method.invoke(Native Method)\n\tat shop.Cart$1.<init>(Unknown Source)\nCaused \
                 by: java.lang.NullPointerException\n\tat shop.Item.price(Item.java:3)\n\t... 2 more",
                &[
                    "shop.Cart.total (Cart.java:12)",
                    "java.lang.reflect.Method.invoke (Native Method:?)",
                    "shop.Cart$1.<init> (Unknown Source:?)",
                ],
            ),
            (
                "node",
                "TypeError: x is not a function\n    at file:///app/app.mjs:15:61\n    at Array.map (<anonymous>)\n    at new \
                 Cart (/app/cart.js:12:9)\n    at async Cart.total [as sum] (node:internal/x:1:2)\n    at async /app/b.js:3:4",
                &[
                    " (file:///app/app.mjs:15)",
                    "Array.map (<anonymous>:?)",
                    "Cart (/app/cart.js:12)",
                    "Cart.total [as sum] (node:internal/x:1)",
                    " (/app/b.js:3)",
                ],
            ),
            (
                "ruby 3.3",
                "/app/cart.rb:12:in `total': undefined method `price' for nil (NoMethodError)\n\n    items.sum\n         \
                 ^^^^\n\tfrom /app/cart.rb:3:in `block in add'\n\tfrom bin/shop:5:in `<main>'",
                &["total (/app/cart.rb:12)", "block in add (/app/cart.rb:3)", "<main> (bin/shop:5)"],
            ),
            ("ruby 3.4", "cart.rb:1:in 'Cart#total': boom (RuntimeError)", &["Cart#total (cart.rb:1)"]),
            (
                "go",
                "goroutine 1 [running]:\nruntime/debug.Stack()\n\t/usr/lib/go/src/runtime/debug/stack.go:24 \
                 +0x5e\nmain.(*Cart).total(0xc000012345, {0x1, 0x2})\n\t/app/cart.go:12 +0x1d\ncreated by main.main in \
                 goroutine 1\n\t/app/main.go:5 +0x2b\n\ngoroutine 2 [select]:\nmain.other()\n\t/app/o.go:1 +0x1",
                &[
                    "runtime/debug.Stack (/usr/lib/go/src/runtime/debug/stack.go:24)",
                    "main.(*Cart).total (/app/cart.go:12)",
                    "main.main (/app/main.go:5)",
                ],
            ),
            (
                ".net",
                "System.InvalidOperationException: x\n   at Shop.Cart.Total(Item item) in /src/Cart.cs:line 12\n   at \
                 Shop.Program.Main()",
                &["Shop.Cart.Total (/src/Cart.cs:12)", "Shop.Program.Main (:?)"],
            ),
            ("nothing known", "it went wrong: at noon\nin `vain", &[]),
            ("empty", "", &[]),
        ] {
            assert_eq!(shown(stack), want, "{language}");
        }
    }

    #[test]
    fn a_stack_without_end_is_cut_at_its_outer_end() {
        let python = format!("Traceback (most recent call last):\n{}", "  File \"a.py\", line 1, in f\n".repeat(5000));
        let innermost = format!("{python}  File \"a.py\", line 2, in last\nRecursionError");
        assert_eq!(frames(&innermost).len(), MAX_FRAMES);
        assert_eq!(frames(&innermost)[0].function, "last");
        assert_eq!(frames(&"\tat a.B.c(B.java:1)\n".repeat(5000)).len(), MAX_FRAMES);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            stack in "((Traceback \\(most recent call last\\)|goroutine 1|at |from |\t|File \"|, line 7|:in `|:7|\\(|\\)|\n|é){0,30})"
        ) {
            let _ = frames(&stack);
        }
    }
}
