using Microsoft.Extensions.Logging;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Storage.Manifests;

namespace Taba.Silo.Faults;

/// <summary>
/// What a part needs of another stage and cannot read. The store is told to make it void, so that the other stage computes it again;
/// nothing else stops.
/// </summary>
sealed partial class LostInputs(TensorStore store, ILogger<LostInputs> logger)
{
    /// <summary>The damage inside whatever was wrapped around it; null when an error is something else.</summary>
    public static DamagedRowsException? In(Exception? error) => error switch
    {
        null => null,
        DamagedRowsException damage => damage,
        AggregateException several => several.InnerExceptions.Select(In).FirstOrDefault(e => e is not null),
        _ => In(error.InnerException),
    };

    /// <summary>Makes what is damaged void.</summary>
    /// <returns>What the part's grain is told.</returns>
    public async Task<InputLostException> VoidAsync(DamagedRowsException damage, CancellationToken cancellationToken)
    {
        LogDamaged(logger, damage.Message);
        if (damage.Entry is { } entry)
            await store.VoidAsync(entry, damage.Message, cancellationToken);
        return new(damage.StageKey, damage.Rows, damage.Message, damage);
    }

    /// <summary>The same for a part that runs already.</summary>
    public async Task<Fault> FaultAsync(DamagedRowsException damage)
    {
        var lost = await VoidAsync(damage, CancellationToken.None);
        return Fault.LostInput(lost.StageKey, lost.Rows, lost.Message);
    }

    [LoggerMessage(4503, LogLevel.Error, "Damage in the store, made void: {Damage}")]
    static partial void LogDamaged(ILogger logger, string damage);
}
