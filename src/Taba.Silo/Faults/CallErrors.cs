using Orleans.Storage;
using Taba.Grains.Errors;
using Taba.Storage.Objects;

namespace Taba.Silo.Faults;

/// <summary>Errors as whoever called a grain gets them (<see cref="CallException"/>).</summary>
static class CallErrors
{
    /// <summary>An error with all that it holds, as one kind and one sentence.</summary>
    public static CallException Flat(Exception error)
    {
        if (CallException.In(error) is { } flat)
            return flat;
        if (FaultMonitor.StoreFault(error) is { } store)
            return new(CallFault.Store, Sentence(store));
        return error switch
        {
            BadInputException => new(CallFault.BadInput, Sentence(error)),
            StoreBusyException => new(CallFault.Store, Sentence(error)),
            // A type of Orleans, but what it holds is of the database's.
            InconsistentStateException => new(CallFault.Passing, $"Another silo wrote the same state: {Sentence(error)}"),
            _ when PassingErrors.OfSilos(error) => new(CallFault.Passing, Sentence(error)),
            AggregateException { InnerExceptions: [var one] } => Flat(one),
            _ => new(CallFault.Unexpected, $"{error.GetType().Name}: {Sentence(error)}"),
        };
    }

    /// <summary>The messages of an error and of all that it holds, without those that another one quotes.</summary>
    public static string Sentence(Exception error)
    {
        var text = error.Message;
        for (var inner = error.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (!text.Contains(inner.Message, StringComparison.Ordinal))
                text = $"{text.TrimEnd('.')}: {inner.Message}";
        }
        return text;
    }
}
