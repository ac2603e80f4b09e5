namespace Taba.Grains.Errors;

/// <summary>
/// The one exception by which grains answer other processes: a kind and a sentence. Of anything else the other side may lack the type, or
/// of something that it holds.
/// </summary>
[GenerateSerializer, Alias("taba.CallException")]
public sealed class CallException(CallFault kind, string message) : Exception(message)
{
    [Id(0)] public CallFault Kind { get; private set; } = kind;

    /// <summary>The one inside whatever Orleans wrapped around it; null when there is none.</summary>
    public static CallException? In(Exception? error)
    {
        while (error is not (null or CallException))
            error = error.InnerException;
        return (CallException?)error;
    }
}
