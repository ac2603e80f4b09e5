using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Storage;
using Taba.Grains;
using Taba.Grains.Errors;

namespace Taba.Silo.Faults;

/// <summary>
/// The grain state of a silo, whose errors every process can read (<see cref="CallException"/>). What fails while a grain comes up passes
/// no filter.
/// </summary>
/// <param name="provider">Keeps the state.</param>
sealed class ReadableGrainState(IGrainStorage provider) : IGrainStorage
{
    /// <summary>The name under which a silo registers the provider itself.</summary>
    public const string ProviderName = "taba-provider";

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
        FlatAsync(() => provider.ReadStateAsync(stateName, grainId, grainState, cancellationToken), grainId);

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
        FlatAsync(() => provider.WriteStateAsync(stateName, grainId, grainState, cancellationToken), grainId);

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
        FlatAsync(() => provider.ClearStateAsync(stateName, grainId, grainState, cancellationToken), grainId);

    static async Task FlatAsync(Func<Task> work, GrainId grainId)
    {
        try
        {
            await work();
        }
        catch (Exception error) when (error is not (InconsistentStateException or OperationCanceledException))
        {
            throw Flat(error, grainId);
        }
    }

    static CallException Flat(Exception error, GrainId grainId)
    {
        for (var inner = error; inner is not null; inner = inner.InnerException)
        {
            if (inner is SerializerException or UnreadableStateException)
                return new(
                    CallFault.Unreadable,
                    $"The state of {grainId} is damaged, or of another version of Taba: {CallErrors.Sentence(inner)}");
        }
        return CallErrors.Flat(error) is { Kind: CallFault.Unexpected }
            ? new(CallFault.Store, $"the database of grain states fails: {CallErrors.Sentence(error)}")
            : CallErrors.Flat(error);
    }
}

static class ReadableGrainStateRegistration
{
    /// <summary>Puts it before the provider that is registered as <see cref="ReadableGrainState.ProviderName"/>.</summary>
    public static ISiloBuilder AddReadableGrainState(this ISiloBuilder silo)
    {
        silo.Services.AddKeyedSingleton<IGrainStorage>(GrainStorage.Name, (services, _) =>
            new ReadableGrainState(services.GetRequiredKeyedService<IGrainStorage>(ReadableGrainState.ProviderName)));
        return silo;
    }
}
