using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Taba.Simulation.Cluster;

/// <summary>
/// What crosses from one silo to another is written and read by the real serializer; within a silo it is copied, as Orleans does.
/// </summary>
static class Wire
{
    static readonly ServiceProvider s_services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    static readonly DeepCopier s_copier = s_services.GetRequiredService<DeepCopier>();

    public static Serializer Serializer { get; } = s_services.GetRequiredService<Serializer>();

    public static object? Copy(object? value) => IsPlain(value) ? value : s_copier.Copy(value);

    public static object? Send(object? value) =>
        IsPlain(value) ? value : Serializer.Deserialize<object>(Serializer.SerializeToArray<object>(value!));

    public static object?[] Send(object?[] values) => [.. values.Select(Send)];

    public static object?[] Copy(object?[] values) => [.. values.Select(Copy)];

    /// <summary>An exception as the caller gets it; another one when it does not survive the way.</summary>
    public static Exception Send(Exception exception)
    {
        try
        {
            return Serializer.Deserialize<Exception>(Serializer.SerializeToArray(exception))!;
        }
        catch (Exception failed)
        {
            return failed;
        }
    }

    static bool IsPlain(object? value) => value is null or string or int or long or bool or Guid or CancellationToken;
}
