using System.CommandLine;
using Taba.Grains;

namespace Taba.Client.Commands;

/// <summary>
/// <c>taba completion bash|zsh|fish</c>: a script that asks the command itself what may follow, so that it never lags behind. Where nothing
/// of the command's own may follow, the shell completes files.
/// </summary>
static class CompletionCommand
{
    const string Bash =
        """
        # Completion of taba. To have it now: eval "$(taba completion bash)". For good, put that line into ~/.bashrc.
        _taba() {
            local cur="${COMP_WORDS[COMP_CWORD]}" line="taba ${COMP_WORDS[*]:1:COMP_CWORD}" word
            COMPREPLY=()
            while IFS= read -r word; do
                [[ -n $word && $word == "$cur"* ]] || continue
                # Options when one is begun; each in one spelling.
                [[ $word == -* && $cur != -* ]] && continue
                [[ $word == --*-* && $cur != --*-* ]] && continue
                COMPREPLY+=("$word")
            done < <("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)
            [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
            return 0
        }
        complete -o bashdefault -o default -F _taba taba
        """;

    const string Zsh =
        """
        #compdef taba
        # Completion of taba. To have it now: eval "$(taba completion zsh)", after compinit. For good, put that line into ~/.zshrc.
        _taba() {
            local cur="${words[CURRENT]}" line="taba ${(j: :)words[2,CURRENT]}" word
            local -a found keys
            for word in "${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}"; do
                [[ -n $word && $word == "$cur"* ]] || continue
                [[ $word == -* && $cur != -* ]] && continue
                [[ $word == --*-* && $cur != --*-* ]] && continue
                if [[ $word == *= ]]; then keys+=("$word"); else found+=("$word"); fi
            done
            (( ${#found} )) && compadd -a found
            (( ${#keys} )) && compadd -S '' -a keys
            (( ${#found} + ${#keys} )) || _files
        }
        compdef _taba taba
        """;

    const string Fish =
        """
        # Completion of taba. For good: taba completion fish > ~/.config/fish/completions/taba.fish
        function __taba_suggest
            set -l words (commandline -opc)
            set -l cur (commandline -ct)
            set -l line (string join -- ' ' taba $words[2..-1] "$cur")
            for word in ($words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)
                string match -q -- '-*' $word; and not string match -q -- '-*' $cur; and continue
                string match -q -- '--*-*' $word; and not string match -q -- '--*-*' $cur; and continue
                echo $word
            end
        end
        complete -c taba -a '(__taba_suggest)'
        """;

    public static Command Create(CommandServices services)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.CompletionSources.Add("bash", "zsh", "fish");
        var command = new Command(
            "completion", "Prints a script by which a shell completes commands, options, models and files.") { shell };
        command.SetAction(parsed =>
        {
            services.Terminal.Output.Write(parsed.GetValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                "fish" => Fish,
                var other => throw new BadInputException($"There is no completion for '{other}': give bash, zsh or fish."),
            } + "\n");
            return ExitStatus.Done;
        });
        return command.WithExamples("taba completion bash", "taba completion zsh", "taba completion fish");
    }
}
