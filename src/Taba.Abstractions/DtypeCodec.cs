using System.Buffers;
using Orleans;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace Taba;

/// <summary>A dtype travels, and is stored, as its name: as the text that it was before it was a type.</summary>
[RegisterSerializer]
public sealed class DtypeCodec : IFieldCodec<Dtype>
{
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, Dtype value)
        where TBufferWriter : IBufferWriter<byte> => StringCodec.WriteField(ref writer, fieldIdDelta, value.Name());

    /// <exception cref="InvalidDataException">The name is of a dtype that this version does not know.</exception>
    public Dtype ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        var name = StringCodec.ReadValue(ref reader, field);
        return Dtypes.Find(name) ?? throw new InvalidDataException($"'{name}' is no dtype that this version knows.");
    }
}
