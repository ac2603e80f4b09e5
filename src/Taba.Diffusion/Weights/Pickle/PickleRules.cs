namespace Taba.Diffusion.Weights.Pickle;

/// <summary>The part of the pickle language that one kind of file needs; the reader refuses everything else by name.</summary>
/// <param name="fault">Makes the error of a sentence.</param>
abstract class PickleRules(Func<string, Exception> fault)
{
    /// <summary>The values of such a pickle, for messages: "a state dict".</summary>
    public abstract string Kind { get; }

    /// <summary>A clause for the user whose file needs more; null where there is nothing to advise.</summary>
    public virtual string? Advice => null;

    public abstract IReadOnlySet<PickleOpcode> Opcodes { get; }

    public abstract int OldestProtocol { get; }

    public abstract int NewestProtocol { get; }

    public string Protocols => OldestProtocol == NewestProtocol ? $"{OldestProtocol}" : $"{OldestProtocol} to {NewestProtocol}";

    /// <summary>Values that a pickle may make, so that a short one cannot fill the memory.</summary>
    public abstract int MaxValues { get; }

    /// <summary>The most bytes of a line of text.</summary>
    public virtual int MaxTextLine => 0;

    /// <summary>The value that stands for a global; null refuses it.</summary>
    public virtual object? Global(string module, string name) => null;

    /// <summary>The value of a call; nothing is executed.</summary>
    public virtual object? Call(object? callable, object?[] arguments) => throw Fault("its pickle calls something.");

    /// <summary>The value of a persistent id.</summary>
    public virtual object? Persistent(object? id) => throw Fault("its pickle refers to something outside.");

    /// <summary>The text that stands for a dictionary's key.</summary>
    public virtual string Key(object? key) => key as string ?? throw Fault("its pickle holds a dictionary whose keys are not text.");

    /// <summary>Looks at an item before a list takes it.</summary>
    public virtual void CheckItem(object? item)
    {
    }

    public Exception Fault(string sentence) => fault(sentence);

    /// <summary>The error of something that such a pickle does not need.</summary>
    public Exception Refused(string what) =>
        Fault($"its pickle {what}, which {Kind} does not need{(Advice is null ? "." : $"; {Advice}.")}");
}
