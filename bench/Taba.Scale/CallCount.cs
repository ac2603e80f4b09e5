namespace Taba.Scale;

/// <summary>Counts calls of the project's grains in a silo.</summary>
sealed class CallCount : IIncomingGrainCallFilter
{
    long _calls;

    /// <summary>Since the silo began.</summary>
    public long Now => Volatile.Read(ref _calls);

    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.InterfaceMethod.DeclaringType?.Namespace?.StartsWith("Taba", StringComparison.Ordinal) is true)
            Interlocked.Increment(ref _calls);
        return context.Invoke();
    }
}
