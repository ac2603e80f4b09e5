using System.Collections.Frozen;
using Taba.Diffusion.Weights.Pickle;
using static Taba.Diffusion.Weights.Pickle.PickleOpcode;

namespace Taba.Diffusion.Conditions;

/// <summary>The pickle of a list of str, of any protocol.</summary>
static class PromptPickle
{
    /// <summary>The strings of the list.</summary>
    /// <param name="data">The pickle.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <exception cref="InvalidDataException">The pickle is damaged or holds something else.</exception>
    public static List<string> Read(byte[] data, string path)
    {
        var rules = new Rules(path);
        return new PickleReader(data, 0, rules).Read() is List<object?> list
            ? list.ConvertAll(text => (string)text!)
            : throw rules.Fault("its pickle holds a single text; a list of str is expected.");
    }

    sealed class Rules(string path)
        : PickleRules(sentence => new InvalidDataException($"The file {path} cannot be read as a list of prompts: {sentence}"))
    {
        static readonly FrozenSet<PickleOpcode> s_opcodes = FrozenSet.Create(
            PROTO, FRAME, SHORT_BINUNICODE, BINUNICODE, BINUNICODE8, UNICODE, MARK, EMPTY_LIST, LIST, APPEND, APPENDS,
            MEMOIZE, BINPUT, LONG_BINPUT, PUT, BINGET, LONG_BINGET, GET, STOP);

        public override string Kind => "a list of str";

        public override string Advice => "it may be hostile";

        public override IReadOnlySet<PickleOpcode> Opcodes => s_opcodes;

        public override int OldestProtocol => 0;

        public override int NewestProtocol => 5;

        /// <summary>A prompt takes two or three values (itself, its memo, a mark).</summary>
        public override int MaxValues => 4 * PromptFile.MaxPrompts;

        public override int MaxTextLine => PromptFile.MaxPromptLength * 10;

        public override void CheckItem(object? item)
        {
            if (item is not string)
                throw Fault("its pickle holds a list in the list; a list of str is expected.");
        }
    }
}
