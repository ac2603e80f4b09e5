using Orleans.Serialization;
using Orleans.Storage;

namespace Taba.Silo.Faults;

/// <summary>Orleans' own form of grain states. Bytes that it cannot read are told from a database that does not answer.</summary>
sealed class StateSerializer(Serializer serializer) : IGrainStorageSerializer
{
    readonly OrleansGrainStorageSerializer _inner = new(serializer);

    public BinaryData Serialize<T>(T? input) => _inner.Serialize(input);

    /// <exception cref="UnreadableStateException">A damaged state, or one that a newer version wrote.</exception>
    public T? Deserialize<T>(BinaryData input)
    {
        try
        {
            return _inner.Deserialize<T>(input);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new UnreadableStateException(error);
        }
    }
}

/// <summary>The bytes of a state are not those of its type.</summary>
sealed class UnreadableStateException(Exception inner) : Exception($"{inner.GetType().Name}: {inner.Message}", inner);
